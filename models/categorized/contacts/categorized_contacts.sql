{{ labelled_contacts(ref('stg_contacts'), ref) }}
