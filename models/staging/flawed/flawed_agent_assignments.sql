{{ flawed_rows('agent_assignments') }}
