{{ score_mart('channel', keys=['scope_id as channel']) }}
