{{ score_mart('product_line', keys=['scope_id as product_line']) }}
