"""What a column of a file of orders can mean: the members of an order and of its items (contract 17.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from perigee.imports.types import Target

ORDER: Final[Mapping[str, Target]] = {
    "externalOrderId": Target("order_id", "Order id", "text", ("externalOrderId", "order", "order number", "order no",
        "number", "id", "номер заказа", "заказ", "номер замовлення", "замовлення")),
    "externalCustomerId": Target("external_customer_id", "Customer id", "text", ("externalCustomerId", "customer",
        "client id", "user id", "external id", "код клиента", "ид клиента", "код клієнта", "ід клієнта")),
    "email": Target("email", "Email", "email", ("e-mail", "mail", "customer email", "почта", "электронная почта",
        "пошта", "електронна пошта")),
    "phone": Target("phone", "Phone", "phone", ("tel", "telephone", "mobile", "customer phone", "телефон")),
    "totalCost": Target("total", "Total", "decimal", ("totalCost", "total cost", "amount", "sum", "order total", "сумма",
        "итого", "сума", "разом")),
    "status": Target("status", "Status", "text", ("order status", "state", "статус", "статус заказа",
        "статус замовлення")),
    "date": Target("date", "Date", "datetime", ("order date", "created", "created at", "ordered at", "дата",
        "дата заказа", "дата замовлення")),
    "currency": Target("currency", "Currency", "text", ("currency code", "валюта")),
    "firstName": Target("first_name", "First name", "text", ("firstname", "name", "имя", "ім'я", "імя")),
    "lastName": Target("last_name", "Last name", "text", ("lastname", "surname", "фамилия", "прізвище")),
    "source": Target("source", "Source"),
    "shipping": Target("shipping", "Shipping", "decimal", ("shipping cost", "доставка")),
    "discount": Target("discount", "Discount", "decimal", ("скидка", "знижка")),
    "taxes": Target("taxes", "Taxes", "decimal", ("tax", "vat", "налог", "податок", "пдв", "ндс")),
    "restoreUrl": Target("restore_url", "Link to the cart", "text", ("restoreUrl",)),
    "statusDescription": Target("status_description", "Status, in words", "text", ("statusDescription",)),
    "storeId": Target("store_id", "Store", "text", ("storeId", "store", "shop", "магазин")),
    "deliveryMethod": Target("delivery_method", "Delivery", "text", ("deliveryMethod", "способ доставки",
        "спосіб доставки")),
    "paymentMethod": Target("payment_method", "Payment", "text", ("paymentMethod", "способ оплаты", "спосіб оплати")),
    "deliveryAddress": Target("delivery_address", "Delivery address", "text", ("deliveryAddress", "адрес доставки",
        "адреса доставки")),
    "additionalInfo": Target("additional_info", "More, as a JSON object", "text", ("additionalInfo",)),
    "items": Target("items", "Items, as a JSON list", "text", ("products", "goods", "товары", "товари")),
}  # fmt: skip
"""By member of the wire's order."""

ITEM: Final[Mapping[str, Target]] = {
    "externalItemId": Target("item_id", "Item: id", "text", ("externalItemId", "sku", "product id", "product", "article",
        "артикул", "товар", "код товара", "код товару")),
    "name": Target("item_name", "Item: name", "text", ("product name", "название товара", "назва товару")),
    "category": Target("item_category", "Item: category", "text", ("category", "product category", "категория",
        "категорія")),
    "quantity": Target("item_quantity", "Item: quantity", "decimal", ("quantity", "qty", "количество", "кол-во",
        "кількість")),
    "cost": Target("item_cost", "Item: price of one", "decimal", ("price", "item price", "cost", "unit price", "цена",
        "ціна")),
    "url": Target("item_url", "Item: link", "text", ("product url", "url")),
    "imageUrl": Target("item_image_url", "Item: picture", "text", ("imageUrl", "image url", "image")),
    "description": Target("item_description", "Item: description", "text", ("product description",)),
}  # fmt: skip
"""By member of the wire's item. With a column for `item_id` a file has a row for each item."""

MEMBERS: Final = {target.name: member for member, target in ORDER.items()}
ITEM_MEMBERS: Final = {target.name: member for member, target in ITEM.items()}
WHO: Final = ("external_customer_id", "email", "phone")
AMOUNTS: Final = frozenset({"total", "shipping", "discount", "taxes", "item_quantity", "item_cost"})

TARGETS: Final = (*ORDER.values(), *ITEM.values())
