"""Times in announcements, with their zone: Korean and English, dates with and without a year, spans."""

import re
from calendar import month_abbr
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

#: Hours ahead of UTC.
_ZONES = {"UTC": 0, "GMT": 0, "KST": 9, "JST": 9, "SGT": 8, "HKT": 8}
_KOREA, _FURTHEST = 9, 14
_MONTHS = {name[:3].lower(): number for number, name in enumerate(month_abbr) if name}
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_DATES = (
    r"(?P<y1>20\d\d)\s?[-./년]\s?(?P<m1>\d{1,2})\s?[-./월]\s?(?P<d1>\d{1,2})(?:일|\.(?!\d))?",
    r"(?P<m2>\d{1,2})\s?월\s?(?P<d2>\d{1,2})\s?일",
    rf"(?P<m3>{_MONTH})\s(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y3>20\d\d))?",
    rf"(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s(?P<m4>{_MONTH})(?:,?\s(?P<y4>20\d\d))?",
    r"(?<![\d/.])(?P<m5>\d{1,2})/(?P<d5>\d{1,2})(?![\d/])(?=\s?(?:\(|\d|오|~|-|부터|에|$))",
)
_TIMES = (
    r"(?:(?P<half1>오전|오후|[ap]m)\s?)?(?P<h1>\d{1,2}):(?P<n1>\d\d)(?::\d\d)?(?:\s?(?P<half2>[ap]m)\b)?",
    r"(?:(?P<half3>오전|오후)\s?)?(?P<h2>\d{1,2})\s?시(?!간)(?:\s?(?P<n2>\d{1,2})\s?분)?",
    r"(?P<h3>\d{1,2})\s?(?P<half4>[ap]m)\b",
)
_TOKEN = re.compile(
    "|".join(
        (
            *(rf"(?P<date{number}>(?<!\d){one})" for number, one in enumerate(_DATES)),
            *(rf"(?P<time{number}>(?<![\d:]){one})" for number, one in enumerate(_TIMES)),
            rf"(?P<zone>\b(?:{'|'.join(_ZONES)})\b(?:\s?(?P<shift>[+-]\d{{1,2}})(?::?\d\d)?)?|한국\s?시간|한국\s?시각)",
            r"(?P<span>~|\u2013|\u2014|\bto\b|\buntil\b|부터)",
            r"(?P<arrow>→|->|=>|⇒)",
            r"(?P<line>\n)",
        )
    ),
    re.IGNORECASE,
)
#: What begins a span that may have no end yet, and a time that a zone stands before.
_OPEN = re.compile(r"[~\u2013\u2014]|부터")
_ZONE_OF_NEXT = re.compile(r"\)? ?\d")
#: Characters between a date and its time, a time and the end of its span, or a time and its zone, at most.
_NEAR = 30
#: A date without a year that lies further back than this is next year's.
_BACK = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Span:
    """A time, or from one to another, in ms since the epoch; ``end_ms`` None where no end is named. ``is_day``: no time of the day is."""

    start_ms: int
    end_ms: int | None = None
    is_day: bool = False


@dataclass(slots=True)
class _Moment:
    day: date | None
    minutes: int | None  # of the day; None where only the date is named
    at: int  # where its text ends
    is_end: bool  # a span runs from the one before to this
    zone: tzinfo | None = None


def times_in(text: str, published_ms: int, usual: tzinfo) -> tuple[Span, ...]:
    """The times that ``text`` names, in its order; after an arrow (``15:00 → 17:00``) only the new ones.

    ``published_ms``: when it was published, from which missing years and days are taken; ``usual``: the zone of times that name none.
    A date alone is its first minute. What is no date (the 31st of June, 25:00) is passed over.
    """
    published = datetime.fromtimestamp(published_ms / 1000, UTC).astimezone(usual)
    moments = _moments(text, published)
    spans: list[Span] = []
    last: date | None = None
    for moment in moments:
        day = last if moment.day is None and moment.is_end else moment.day
        start = _ms(moment, day, published, usual)
        if moment.is_end and spans and spans[-1].end_ms is None:
            begin = spans[-1].start_ms
            if start <= begin and moment.day is None:
                start += 86_400_000  # from 23:00 to 02:00
            spans[-1] = Span(begin, start if start > begin else None, spans[-1].is_day)
        else:
            spans.append(Span(start, is_day=moment.minutes is None))
        last = day or published.date()
    return tuple(dict.fromkeys(spans))


@dataclass(slots=True)
class _Line:
    """From which moment on an arrow replaces, and a zone holds for, what stands on a line."""

    arrow: int = 0
    zone: int = 0


def _moments(text: str, published: datetime) -> list[_Moment]:
    moments: list[_Moment] = []
    waiting_span, span_at = False, 0
    line, above, line_at = _Line(), _Line(), 0
    for found in _TOKEN.finditer(text):
        near = moments[-1] if moments and found.start() - moments[-1].at <= _NEAR else None
        is_first = line.arrow == len(moments)  # of its line
        if found["line"]:
            if not is_first:
                above = line
            line, line_at = _Line(len(moments), len(moments)), found.end()
            waiting_span = waiting_span and _is_beside(text, span_at, found.start())
        elif found["arrow"]:
            del moments[line.arrow :]
            line.zone, waiting_span = len(moments), False
        elif found["span"]:
            waiting_span, span_at = near is not None, found.end()
        elif found["zone"]:
            if is_first and moments and _is_beside(text, moments[-1].at, found.start()) and not _ZONE_OF_NEXT.match(text, found.end()):
                line = above  # 15:00, and its zone on the next line
            zone = _zone(found)
            for moment in moments[line.zone :]:
                moment.zone = moment.zone or zone
            line.zone = len(moments)
        elif any(found[f"date{number}"] for number in range(len(_DATES))):
            day = _day(found, published)
            if day is not None:
                is_end = waiting_span and (span_at >= line_at or _ends_span_above(text, span_at, line_at, found))
                line = above if is_end and is_first else line
                moments.append(_Moment(day, None, found.end(), is_end))
            waiting_span = False
        else:
            minutes = _minutes(found)
            if minutes is None:
                continue
            if near is not None and near.minutes is None and not waiting_span:
                line = above if is_first else line  # the date stands on the line above
                near.minutes, near.at = minutes, found.end()
            else:
                is_end = waiting_span and (span_at >= line_at or _ends_span_above(text, span_at, line_at, found))
                line = above if is_end and is_first else line
                half = found["half1"] or found["half2"] or found["half3"] or found["half4"]
                before = near.minutes if near is not None and is_end else None
                if half is None and before is not None and before >= 720 and minutes < 720 and found["h2"] and minutes + 720 > before:
                    minutes += 720  # 오후 2시 ~ 4시
                moments.append(_Moment(None, minutes, found.end(), is_end))
            waiting_span = False
    return moments


def _is_beside(text: str, end: int, start: int) -> bool:
    """Whether no word stands between ``end`` and ``start``."""
    return re.search(r"\w", text[end:start]) is None


def _ends_span_above(text: str, span_at: int, line_at: int, found: re.Match[str]) -> bool:
    """Whether what begins a line ends the span that the line above ends with (``15:00 ~``): not so in a list of what has no end yet."""
    rest = text[found.end() :].partition("\n")[0]
    is_sure = text[:span_at].casefold().endswith(("to", "until"))
    return _is_beside(text, line_at, found.start()) and (is_sure or _OPEN.search(rest) is None)


def _zone(found: re.Match[str]) -> tzinfo | None:
    hours = _ZONES.get(found["zone"].upper()[:3], _KOREA) + (int(found["shift"]) if found["shift"] else 0)
    return timezone(timedelta(hours=hours)) if abs(hours) <= _FURTHEST else None


def _day(found: re.Match[str], published: datetime) -> date | None:
    year = found["y1"] or found["y3"] or found["y4"]
    month = found["m1"] or found["m2"] or found["m3"] or found["m4"] or found["m5"]
    number = found["d1"] or found["d2"] or found["d3"] or found["d4"] or found["d5"]
    month_number = int(month) if month.isdigit() else _MONTHS[month[:3].lower()]
    try:
        if year:
            return date(int(year), month_number, int(number))
        day = date(published.year, month_number, int(number))
        return day if day >= published.date() - _BACK else day.replace(year=day.year + 1)
    except ValueError:
        return None


def _minutes(found: re.Match[str]) -> int | None:
    hour = int(found["h1"] or found["h2"] or found["h3"])
    minute = int(found["n1"] or found["n2"] or 0)
    half = (found["half1"] or found["half2"] or found["half3"] or found["half4"] or "").lower()
    if half in ("오후", "pm") and hour < 12:
        hour += 12
    elif half in ("오전", "am") and hour == 12:
        hour = 0
    return hour * 60 + minute if hour * 60 + minute <= 1440 and minute < 60 else None


def _ms(moment: _Moment, day: date | None, published: datetime, usual: tzinfo) -> int:
    """The moment, ms since the epoch; one without a day is the first such time after the publication."""
    zone = moment.zone or usual
    first = datetime.combine(day or published.astimezone(zone).date(), datetime.min.time(), zone)
    start = first + timedelta(minutes=moment.minutes or 0)
    if day is None and start < published:
        start += timedelta(days=1)
    return int(start.timestamp() * 1000)
