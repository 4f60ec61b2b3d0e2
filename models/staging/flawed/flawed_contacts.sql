{{ flawed_rows('contacts') }}
