{{ flawed_rows('departments') }}
