"""RFC 8292: the token says who sends, to whom and until when."""

from __future__ import annotations

from perigee.delivery.channels.webpush.signing import KEEP, LIFE, RENEW, Signer
from perigee.delivery.channels.webpush.tests.service import claims
from perigee.push.vapid import make_pair

FCM, WINDOWS = "https://fcm.googleapis.com", "https://wns2-par02p.notify.windows.com"
NOON = 1_750_000_000.0


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


def signer(clock: Clock) -> tuple[Signer, str]:
    pair = make_pair()
    return Signer(pair.private, pair.public, "https://shop.example.com", clock=clock), pair.public


def test_audience_end_and_sender_are_signed_with_the_key_of_the_site() -> None:
    made, public = signer(Clock())
    assert claims(made.authorization(FCM), public) == {
        "aud": FCM,
        "exp": int(NOON) + 12 * 3600,
        "sub": "https://shop.example.com",
    }
    assert claims(made.authorization(WINDOWS), public)["aud"] == WINDOWS


def test_a_token_is_made_once_per_service_and_again_in_time() -> None:
    clock = Clock()
    made, public = signer(clock)
    first = made.authorization(FCM)
    clock.now += RENEW - 1
    assert made.authorization(FCM) == first
    clock.now += 1
    assert claims(made.authorization(FCM), public)["exp"] == int(clock.now) + LIFE


def test_a_clock_that_was_set_back_makes_a_new_token() -> None:
    clock = Clock()
    made, public = signer(clock)
    made.authorization(FCM)
    clock.now -= 86_400
    assert claims(made.authorization(FCM), public)["exp"] == int(clock.now) + LIFE


def test_the_tokens_that_are_kept_are_bounded() -> None:
    made, _ = signer(Clock())
    for number in range(KEEP + 1):
        made.authorization(f"https://{number}.notify.windows.com")
    assert len(made._made) <= KEEP
