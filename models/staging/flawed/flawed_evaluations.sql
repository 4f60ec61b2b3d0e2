{{ flawed_rows('evaluations') }}
