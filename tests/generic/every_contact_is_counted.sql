{# Conservation against the input: the contacts counted are the accepted ones, each once. #}
{% test every_contact_is_counted(model) %}
select
    counted.contacts as contacts_counted,
    accepted.contacts as contacts_accepted
from (select coalesce(sum(contacts), 0) as contacts from {{ model }}) as counted
cross join (select count(*) as contacts from {{ ref('categorized_contacts') }}) as accepted
where counted.contacts <> accepted.contacts
{% endtest %}
