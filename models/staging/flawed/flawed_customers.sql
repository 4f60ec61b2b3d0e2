{{ flawed_rows('customers') }}
