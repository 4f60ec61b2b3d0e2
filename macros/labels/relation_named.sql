{# A model or seed by its name, for SQL of increments: they read few rows of what the model reads
   through a view, and the view already tells the lineage and the order of building. #}
{% macro relation_named(name) %}
    {#- There is no graph while dbt parses. -#}
    {% for node in graph.get('nodes', {}).values()
        if node.name == name and node.resource_type in ['model', 'seed'] %}
        {% do return(api.Relation.create(schema=node.schema, identifier=node.alias)) %}
    {% endfor %}
{% endmacro %}
