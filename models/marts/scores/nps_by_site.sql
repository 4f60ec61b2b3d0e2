{{ score_mart('site', keys=['scope_id as site']) }}
