"""The first page, health, figures, and the files that pages are made of."""

from starlette.responses import PlainTextResponse, Response

from lazaret.web.visit import Visit

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


async def home(visit: Visit) -> Response:
    """Whether all is well, for anybody; who is logged in goes on to the quarantine."""
    if visit.at_desk is not None:
        return visit.go("/mail")
    missing = await visit.office.health.ready()
    return visit.page("home.html", missing=missing, figures=visit.office.health.figures())


async def healthz(visit: Visit) -> Response:
    """This process answers."""
    return PlainTextResponse("ok\n")


async def readyz(visit: Visit) -> Response:
    """Rules are loaded, the database answers, every worker is up."""
    missing = await visit.office.health.ready()
    if missing:
        return PlainTextResponse("".join(f"{line}\n" for line in missing), status_code=503)
    return PlainTextResponse("ok\n")


async def metrics(visit: Visit) -> Response:
    """For Prometheus."""
    return Response(visit.office.health.metrics(), media_type=METRICS_TYPE)


async def icon(visit: Visit) -> Response:
    """What a browser shows beside the title, before a login too."""
    return Response(visit.pages.icon, media_type="image/svg+xml", headers=_FOR_A_DAY)


async def static(visit: Visit) -> Response:
    """The style and the script, under names that change with them."""
    files = {
        visit.pages.style_name: (visit.pages.style, "text/css"),
        visit.pages.script_name: (visit.pages.script, "text/javascript"),
    }
    found = files.get(visit.path("name"))
    if found is None:
        return PlainTextResponse("Not Found", 404)
    return Response(found[0], media_type=found[1], headers=_FOR_EVER)
