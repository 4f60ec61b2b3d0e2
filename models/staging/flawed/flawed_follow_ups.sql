{{ flawed_rows('follow_ups') }}
