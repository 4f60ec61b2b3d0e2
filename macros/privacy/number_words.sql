{# Words before a number that say what it is. In small letters, signs read as a blank: a blank
   stands where a word has to begin or end. #}
{% macro number_words() %}
    {% do return({
        'phone': [
            ' phone', ' telefon', ' telephone', ' téléphone', ' teléfono', ' telefone', ' tel ',
            ' tlf ', ' tfno ', ' fon ', ' mobil', ' móvil', ' movil', ' celular', ' cellulare',
            ' cell ', ' handy', ' natel', ' portable', ' fax', ' whatsapp', ' sms ', ' landline',
            ' call ', ' called ', ' calling ', ' ring me', ' text me', ' reach me', ' hotline',
            ' callback', ' call back', ' rückruf', ' zurückruf', ' ruf', ' anruf', ' durchwahl',
            ' erreichbar', ' llám', ' llam', ' appel', ' rappel', ' joindre', ' chiam', ' richiam',
            ' ligue', ' ligar', ' bel me', ' zadzwo', ' dzwo', ' my number', ' meine nummer',
            ' mi número', ' mi numero', ' mon numéro', ' mio numero', ' meu número', ' wa me ',
            'телефон', 'звон', '电话', '電話', '手机', '手機', '号码', 'هاتف', 'جوال', 'फोन', 'फ़ोन', 'โทร',
            '전화',
        ],
        'reference': [
            ' order', ' ticket', ' case ', ' invoice', ' reference', ' ref ', ' claim', ' contract',
            ' booking', ' reservation', ' confirmation', ' tracking', ' parcel', ' shipment',
            ' serial', ' version', ' build', ' model', ' article', ' item ', ' sku ', ' ean ',
            ' isbn ', ' transaction', ' account', ' customer n', ' customer id', ' member', ' id ',
            ' policy', ' incident', ' bestell', ' auftrag', ' rechnung', ' kunden', ' vertrag',
            ' vorgang', ' sendung', ' artikel', ' beleg', ' aktenzeichen', ' buchung', ' serien',
            ' pedido', ' factura', ' reserva', ' referencia', ' contrato', ' caso ', ' env',
            ' expediente', ' commande', ' facture', ' dossier', ' référence', ' contrat', ' colis',
            ' ordine', ' fattura', ' pratica', ' zamówieni', ' zgłoszeni', ' faktur', ' encomenda',
            'заказ', 'договор', '订单', '注文',
        ],
    }) %}
{% endmacro %}

{# Which kind of word stands nearest before a number: phone, reference or null.

   before: text that ends where the number begins. #}
{% macro number_context(before) -%}
    {%- set words = number_words() -%}
    {%- set read = "' ' || " ~ replace_matches(
        'lower(right(' ~ before ~ ', 40))', '[[:punct:][:space:]]+', ' '
    ) ~ " || ' '" -%}
    {#- What is left behind the last word of a kind: the less, the nearer. -#}
    {%- set behind = {} -%}
    {%- for kind, of_kind in words.items() -%}
        {%- do behind.update({
            kind: 'length(' ~ replace_matches(
                read, '^[^\\n]*(?:' ~ of_kind | join('|') ~ ')', ''
            ) ~ ')'
        }) -%}
    {%- endfor -%}
    case
        when {{ behind.phone }} < {{ behind.reference }} then 'phone'
        when {{ behind.reference }} < {{ behind.phone }} then 'reference'
    end
{%- endmacro %}
