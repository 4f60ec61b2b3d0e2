{{ score_mart('segment', keys=['scope_id as segment']) }}
