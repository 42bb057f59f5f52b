"""Upbit's error bodies (docs.upbit.com, "REST API usage and error guide"): ``{"error": {"name", "message"}}``.

The names are the documented ones where the guide lists them. It lists none for a repeated identifier, for a market that
does not trade and for a price off its unit: those three are as reported in public issues of trading programs.
"""

from arbtui.sandbox.answer import Refusal

_WORDS = {
    "invalid_query_payload": (401, "Jwt의 query를 검증하는데 실패하였습니다."),
    "jwt_verification": (401, "Jwt 토큰 검증에 실패했습니다."),
    "expired_access_key": (401, "API 키가 만료되었습니다."),
    "nonce_used": (401, "이미 사용된 nonce 값입니다."),
    "no_authorization_token": (401, "인증 토큰이 없습니다."),
    "invalid_access_key": (401, "잘못된 엑세스 키입니다."),
    "out_of_scope": (401, "권한이 부족합니다."),
    "validation_error": (400, "잘못된 API 요청입니다."),
    "create_ask_error": (400, "주문 요청 정보가 올바르지 않습니다."),
    "create_bid_error": (400, "주문 요청 정보가 올바르지 않습니다."),
    "insufficient_funds_ask": (400, "주문가능한 금액이 부족합니다."),
    "insufficient_funds_bid": (400, "주문가능한 금액이 부족합니다."),
    "under_min_total_ask": (400, "최소주문금액 이상으로 주문해주세요."),
    "under_min_total_bid": (400, "최소주문금액 이상으로 주문해주세요."),
    "invalid_price_ask": (400, "주문가격 단위를 잘못 입력하셨습니다."),
    "invalid_price_bid": (400, "주문가격 단위를 잘못 입력하셨습니다."),
    "invalid_volume_ask": (400, "주문수량 단위를 잘못 입력하셨습니다."),
    "invalid_volume_bid": (400, "주문수량 단위를 잘못 입력하셨습니다."),
    "duplicated_identifier": (400, "이미 사용된 identifier 입니다."),
    "market_offline": (400, "해당 마켓은 현재 거래할 수 없습니다."),
    "market_not_found": (404, "마켓을 찾지 못했습니다."),
    "order_not_found": (404, "주문을 찾지 못했습니다."),
}

#: The venue core's first word of a refusal -> Upbit's name; ``{}`` is the side.
_OF_CORE = {
    "PRICE_UNIT": "invalid_price_{}",
    "LOT_STEP": "invalid_volume_{}",
    "LOT_SIZE": "invalid_volume_{}",
    "MIN_COST": "under_min_total_{}",
    "INSUFFICIENT_FUNDS": "insufficient_funds_{}",
    "DUPLICATE_CLIENT_ID": "duplicated_identifier",
    "UNKNOWN_MARKET": "market_not_found",
    "MARKET_HALTED": "market_offline",
}


def refused(name: str, message: str = "") -> Refusal:
    """The refusal of that name, with its status and message."""
    status, words = _WORDS[name]
    return Refusal(status, {"error": {"name": name, "message": message or words}})


def refused_by_core(reason: str, side: str) -> Refusal:
    """The venue core's ``reason`` as Upbit's error; ``side`` is ``bid`` or ``ask``."""
    name = _OF_CORE.get(reason.partition(" ")[0], "create_{}_error")
    return refused(name.format(side))


def not_found() -> Refusal:
    """An unknown path or market code; Upbit's ``name`` is the number here."""
    return Refusal(404, {"error": {"name": 404, "message": "Code not found"}})
