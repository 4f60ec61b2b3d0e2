{{ labelled_channels(ref('stg_contacts'), ref) }}
