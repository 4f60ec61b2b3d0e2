{{ flawed_rows('agents') }}
