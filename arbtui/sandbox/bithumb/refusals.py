"""Bithumb's error bodies: ``{"error": {"name", "message"}}`` (apidocs.bithumb.com, docs/api-주요-에러-코드, 2026-10-27).

The list calls itself the main ones. It has no name for missing funds, an order that is too small, a client id that was used before and
a market that does not trade: those are the names of the same interface at Upbit, or as client programs report them, and may be others.
"""

from arbtui.sandbox.answer import Refusal

_WORDS = {
    "invalid_parameter": (400, "잘못된 파라미터입니다."),
    "invalid_price": (400, "주문가격 단위를 잘못 입력하셨습니다."),
    "invalid_volume": (400, "주문수량 단위를 잘못 입력하셨습니다."),
    "under_min_total_ask": (400, "최소주문금액 이상으로 주문해주세요."),
    "under_min_total_bid": (400, "최소주문금액 이상으로 주문해주세요."),
    "insufficient_funds_ask": (400, "주문 가능한 금액이 부족합니다."),
    "insufficient_funds_bid": (400, "주문 가능한 금액이 부족합니다."),
    "duplicate_client_order_id": (400, "이미 사용된 client_order_id 입니다."),
    "market_offline": (400, "현재 거래할 수 없는 마켓입니다."),
    "invalid_query_payload": (401, "Jwt의 query를 검증하는데 실패하였습니다."),
    "jwt_verification": (401, "Jwt 토큰 검증에 실패했습니다."),
    "expired_jwt": (401, "Jwt 토큰이 만료되었습니다."),
    "invalid_access_key": (401, "잘못된 엑세스 키입니다."),
    "out_of_scope": (401, "허용되지 않은 권한입니다."),
    "order_not_found": (404, "주문을 찾지 못했습니다."),
    "too_many_requests": (429, "요청 수 제한을 초과했습니다."),
}

#: The venue core's first word of a refusal -> Bithumb's name; ``{}`` is the side.
_OF_CORE = {
    "PRICE_UNIT": "invalid_price",
    "LOT_STEP": "invalid_volume",
    "LOT_SIZE": "invalid_volume",
    "MIN_COST": "under_min_total_{}",
    "INSUFFICIENT_FUNDS": "insufficient_funds_{}",
    "DUPLICATE_CLIENT_ID": "duplicate_client_order_id",
    "MARKET_HALTED": "market_offline",
}


def refused(name: str, message: str = "") -> Refusal:
    """The refusal of that name, with its status and message."""
    status, words = _WORDS[name]
    return Refusal(status, {"error": {"name": name, "message": message or words}})


def refused_by_core(reason: str, side: str) -> Refusal:
    """The venue core's ``reason`` as Bithumb's error; ``side`` is ``bid`` or ``ask``."""
    return refused(_OF_CORE.get(reason.partition(" ")[0], "invalid_parameter").format(side))


def no_market() -> Refusal:
    """A question about a market that is not there: status 200, and a number for its name."""
    return Refusal(200, {"error": {"name": 404, "message": "Code not found"}})


def no_parameter() -> Refusal:
    """A question that lacks a parameter: likewise."""
    return Refusal(200, {"error": {"name": 400, "message": "Missing request parameter error. Check the required parameters!"}})


def no_route() -> Refusal:
    """An unknown path: the gateway's own words, without ``error`` around them."""
    return Refusal(404, {"name": "not_found", "message": "No Route matched with those values"})
