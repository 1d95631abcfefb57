"""Images of a copy: their address is signed, so that nobody asks for another one."""

from django import template
from django.core import signing

IMAGE_SALT = "ranking.results.image"
register = template.Library()


@register.filter
def image_token(name: str) -> str:
    """Return the signed name of an image of the bank; it is good for one visit."""
    return signing.TimestampSigner(salt=IMAGE_SALT).sign_object(name)
