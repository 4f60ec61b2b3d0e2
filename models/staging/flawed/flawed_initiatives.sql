{{ flawed_rows('initiatives') }}
