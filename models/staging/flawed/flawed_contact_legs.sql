{{ flawed_rows('contact_legs') }}
