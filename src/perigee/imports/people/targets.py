"""What a column of a file of contacts can mean: the columns of a contact, and additional fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from perigee.contacts.field_store import DefinitionRow
from perigee.imports.types import Target, ValueType

STANDARD: Final = (
    Target("email", "Email", "email", ("e-mail", "mail", "email address", "mail address", "электронная почта",
        "почта", "эл. почта", "имейл", "електронна пошта", "пошта", "ел. пошта", "імейл", "адрес почты")),
    Target("phone", "Phone", "phone", ("sms", "mobile", "mobile phone", "phone number", "tel", "telephone", "viber",
        "cell", "телефон", "номер телефона", "мобильный", "мобильный телефон", "тел", "номер телефону", "мобільний",
        "мобільний телефон")),
    Target("external_id", "External id", "text", ("externalCustomerId", "customer id", "client id", "user id", "crm id",
        "ид клиента", "код клиента", "внешний id", "зовнішній id", "код клієнта", "ід клієнта")),
    Target("id", "Contact id", "number", ("contact id", "id контакта", "id контакту")),
    Target("first_name", "First name", "text", ("firstname", "name", "given name", "имя", "ім'я", "імя", "ім’я")),
    Target("last_name", "Last name", "text", ("lastname", "surname", "family name", "фамилия", "прізвище")),
    Target("contact_key", "Contact key"),
    Target("language", "Language", "text", ("language code", "languageCode", "lang", "locale", "язык", "мова")),
    Target("time_zone", "Time zone", "text", ("timezone", "часовой пояс", "часовий пояс")),
    Target("region", "Region", "text", ("state", "province", "регион", "область", "регіон")),
    Target("town", "Town", "text", ("city", "город", "місто")),
    Target("street", "Address", "text", ("street", "адрес", "улица", "адреса", "вулиця")),
    Target("postcode", "Postcode", "text", ("zip", "zip code", "postal code", "индекс", "почтовый индекс", "індекс",
        "поштовий індекс")),
)  # fmt: skip

FIELD: Final = "fields."
_TYPES: Final[dict[str, ValueType]] = {
    "number": "number",
    "decimal": "decimal",
    "date": "date",
    "datetime": "datetime",
}
_ALIASES: Final = {
    "BIRTHDAY": ("birth date", "date of birth", "birthdate", "дата рождения", "день рождения", "дата народження",
        "день народження"),
    "GENDER": ("sex", "пол", "стать"),
}  # fmt: skip


def targets(fields: Sequence[DefinitionRow]) -> list[Target]:
    """A field is `fields.ID`; it is known by `GROUP.FIELD`, by its key and by its name."""
    return [
        *STANDARD,
        *(
            Target(
                f"{FIELD}{field.field_id}",
                field.name,
                _TYPES.get(field.type, "text"),
                (f"{field.group_key}.{field.key}", field.key, *_ALIASES.get(field.key, ())),
            )
            for field in fields
            if field.field_id is not None
        ),
    ]
