"""What pages and mails about consent say, by language. A person's words are those of their language, else English.

What somebody agreed to is kept with the consent in these very words (consent_log), so a changed text needs no version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    unsubscribe: str
    unsubscribe_text: str
    unsubscribed: str
    unsubscribed_text: str
    reasons: dict[str, str]
    why: str
    comment: str
    preferences: str
    preferences_text: str
    channels: dict[str, str]
    by_channel: str
    by_category: str
    save: str
    none: str
    saved: str
    confirm: str
    confirm_text: str
    confirm_button: str
    confirmed: str
    confirmed_text: str
    mail_subject: str
    mail_text: str
    mail_ignore: str


ENGLISH = Words(
    language="en",
    unsubscribe="Unsubscribe",
    unsubscribe_text="You will get no more marketing emails from us at this address.",
    unsubscribed="Done",
    unsubscribed_text="This address is unsubscribed.",
    reasons={
        "often": "Too many messages",
        "irrelevant": "Not of interest to me",
        "never": "I never signed up",
        "other": "Another reason",
    },
    why="Why? (optional)",
    comment="Anything you want to tell us (optional)",
    preferences="Your subscriptions",
    preferences_text="Choose what you want to get from us and how.",
    channels={
        "email": "Email",
        "phone": "SMS and messengers",
        "webpush": "Notifications in the browser",
        "mobilepush": "Notifications of the app",
        "telegram": "Telegram",
    },
    by_channel="How we may write to you",
    by_category="What you want to hear about",
    save="Save",
    none="Unsubscribe from everything",
    saved="Your choice is saved.",
    confirm="Confirm your subscription",
    confirm_text="Yes, I want to get marketing emails at this address.",
    confirm_button="Confirm",
    confirmed="Thank you",
    confirmed_text="Your subscription is confirmed.",
    mail_subject="Please confirm your subscription",
    mail_text="Somebody, we hope you, asked us to send news to this address. Please confirm that you want them.",
    mail_ignore="If it was not you, ignore this message: without your word we send nothing more.",
)
UKRAINIAN = Words(
    language="uk",
    unsubscribe="Відписатися",
    unsubscribe_text="Ви більше не отримуватимете від нас рекламних листів на цю адресу.",
    unsubscribed="Готово",
    unsubscribed_text="Цю адресу відписано.",
    reasons={
        "often": "Забагато повідомлень",
        "irrelevant": "Мені це нецікаво",
        "never": "Я не підписувався",
        "other": "Інша причина",
    },
    why="Чому? (необов'язково)",
    comment="Що ви хочете нам сказати (необов'язково)",
    preferences="Ваші підписки",
    preferences_text="Оберіть, що ви хочете отримувати від нас і як.",
    channels={
        "email": "Електронна пошта",
        "phone": "SMS і месенджери",
        "webpush": "Сповіщення у браузері",
        "mobilepush": "Сповіщення застосунку",
        "telegram": "Telegram",
    },
    by_channel="Як вам можна писати",
    by_category="Про що ви хочете дізнаватися",
    save="Зберегти",
    none="Відписатися від усього",
    saved="Ваш вибір збережено.",
    confirm="Підтвердьте підписку",
    confirm_text="Так, я хочу отримувати рекламні листи на цю адресу.",
    confirm_button="Підтвердити",
    confirmed="Дякуємо",
    confirmed_text="Вашу підписку підтверджено.",
    mail_subject="Підтвердьте, будь ласка, підписку",
    mail_text="Хтось, сподіваємося, ви, попросив надсилати новини на цю адресу. Підтвердьте, будь ласка, що ви цього хочете.",
    mail_ignore="Якщо це були не ви, не зважайте на цей лист: без вашої згоди ми більше нічого не надішлемо.",
)
GERMAN = Words(
    language="de",
    unsubscribe="Abmelden",
    unsubscribe_text="Sie erhalten an diese Adresse keine Werbung mehr von uns.",
    unsubscribed="Erledigt",
    unsubscribed_text="Diese Adresse ist abgemeldet.",
    reasons={
        "often": "Zu viele Nachrichten",
        "irrelevant": "Für mich nicht von Interesse",
        "never": "Ich habe mich nie angemeldet",
        "other": "Ein anderer Grund",
    },
    why="Warum? (freiwillig)",
    comment="Was Sie uns sagen möchten (freiwillig)",
    preferences="Ihre Abonnements",
    preferences_text="Wählen Sie, was Sie von uns erhalten möchten und wie.",
    channels={
        "email": "E-Mail",
        "phone": "SMS und Messenger",
        "webpush": "Benachrichtigungen im Browser",
        "mobilepush": "Benachrichtigungen der App",
        "telegram": "Telegram",
    },
    by_channel="Wie wir Ihnen schreiben dürfen",
    by_category="Worüber Sie hören möchten",
    save="Speichern",
    none="Von allem abmelden",
    saved="Ihre Wahl ist gespeichert.",
    confirm="Anmeldung bestätigen",
    confirm_text="Ja, ich möchte Werbung per E-Mail an diese Adresse erhalten.",
    confirm_button="Bestätigen",
    confirmed="Danke",
    confirmed_text="Ihre Anmeldung ist bestätigt.",
    mail_subject="Bitte bestätigen Sie Ihre Anmeldung",
    mail_text="Jemand, hoffentlich Sie, hat uns gebeten, Neuigkeiten an diese Adresse zu senden. Bitte bestätigen Sie das.",
    mail_ignore="Wenn Sie es nicht waren, tun Sie nichts: ohne Ihr Wort senden wir nichts weiter.",
)
POLISH = Words(
    language="pl",
    unsubscribe="Wypisz się",
    unsubscribe_text="Nie będziemy już wysyłać reklam na ten adres.",
    unsubscribed="Gotowe",
    unsubscribed_text="Ten adres został wypisany.",
    reasons={
        "often": "Za dużo wiadomości",
        "irrelevant": "Nie interesuje mnie to",
        "never": "Nigdy się nie zapisywałem",
        "other": "Inny powód",
    },
    why="Dlaczego? (nieobowiązkowe)",
    comment="Co chcesz nam powiedzieć (nieobowiązkowe)",
    preferences="Twoje subskrypcje",
    preferences_text="Wybierz, co chcesz od nas otrzymywać i jak.",
    channels={
        "email": "E-mail",
        "phone": "SMS i komunikatory",
        "webpush": "Powiadomienia w przeglądarce",
        "mobilepush": "Powiadomienia aplikacji",
        "telegram": "Telegram",
    },
    by_channel="Jak możemy do Ciebie pisać",
    by_category="O czym chcesz słyszeć",
    save="Zapisz",
    none="Wypisz się ze wszystkiego",
    saved="Twój wybór został zapisany.",
    confirm="Potwierdź subskrypcję",
    confirm_text="Tak, chcę otrzymywać reklamy na ten adres.",
    confirm_button="Potwierdź",
    confirmed="Dziękujemy",
    confirmed_text="Twoja subskrypcja jest potwierdzona.",
    mail_subject="Potwierdź subskrypcję",
    mail_text="Ktoś, mamy nadzieję, że Ty, poprosił nas o wysyłanie nowości na ten adres. Potwierdź, że tego chcesz.",
    mail_ignore="Jeśli to nie Ty, zignoruj tę wiadomość: bez Twojej zgody nic więcej nie wyślemy.",
)
ALL = {words.language: words for words in (ENGLISH, UKRAINIAN, GERMAN, POLISH)}


def words_for(languages: Sequence[str | None]) -> Words:
    """The words of the first of these languages (`uk`, `en-GB`; None is passed over) that has any."""
    bases = [language.split("-")[0].lower() for language in languages if language]
    return next((ALL[base] for base in bases if base in ALL), ENGLISH)
