{{ superseded_versions('customers', key=['customer_id']) }}
