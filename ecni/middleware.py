"""Response headers that Django and django-csp do not set."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "Permissions-Policy"
CLOSED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
POLICY = ", ".join(f"{feature}=()" for feature in CLOSED)


@sync_and_async_middleware
def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    """Tell browsers that no page here uses the camera, the microphone or the place of a tablet."""
    if iscoroutinefunction(get_response):

        async def wait_and_add(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(request)
            response.headers[HEADER] = POLICY
            return response

        return wait_and_add

    def add(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 -- tells the type of a synchronous chain
        response.headers[HEADER] = POLICY
        return response

    return add
