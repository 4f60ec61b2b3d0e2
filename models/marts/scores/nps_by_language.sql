{{ score_mart('language', keys=['scope_id as language']) }}
