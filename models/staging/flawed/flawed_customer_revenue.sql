{{ flawed_rows('customer_revenue') }}
