"""Structured logs on standard error, without prompts, completions, keys or addresses of people."""

import logging
import logging.config
import os
import re
import sys
import traceback

import structlog

# Fields that must never reach a log line, whoever binds them.
HIDDEN = frozenset(
    {
        "prompt",
        "messages",
        "text",
        "answers",
        "password",
        "api_key",
        "authorization",
        "cookie",
        "ip",
        "user_agent",
    }
)


# Whoever reads the link of an invitation, a shared battle or somebody's own data has what it opens, so its token is no
# part of a line.
TOKEN = re.compile(r"(/(?:join|shared|mine/link)/)[^/?#\s\"]+")


def hide_sensitive(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace the values of sensitive fields; the field's presence stays visible."""
    for key in HIDDEN & event.keys():
        event[key] = "(hidden)"
    if isinstance(event.get("request"), str):
        event["request"] = TOKEN.sub(r"\1(hidden)", event["request"])
    return event


def frames_only(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace an exception by its types and the places it passed.

    Its message stays out: a database error quotes the row, a template error the whole context, and with them what
    people wrote. LOG_EXCEPTION_TEXT=true adds it for whoever looks for a fault on their own machine.
    """
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is None:
        return event
    chain, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        chain.append(error)
        error = error.__cause__ or error.__context__
    event["exception"] = " from ".join(type(each).__name__ for each in chain)
    frames = traceback.extract_tb(chain[0].__traceback__)
    event["at"] = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-12:]))
    if os.environ.get("LOG_EXCEPTION_TEXT") == "true":
        event["exception_text"] = " from ".join(str(each) for each in chain)
    return event


def configure_logging(level: str) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_sensitive,
        frames_only,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processor": structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"level": "WARNING"},
                # The periodic tasks would say twice a second that they did nothing.
                "celery.beat": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "openai": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
