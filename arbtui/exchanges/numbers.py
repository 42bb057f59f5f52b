"""Number types that wire decoders share: bounds are checked while parsing, so no absurd value or NaN passes a decoder.

Venues quote numbers as strings or as JSON numbers, exponents included; both become floats here (decode with ``strict=False``).
"""

from typing import Annotated

from msgspec import Meta

Price = Annotated[float, Meta(gt=0.0, le=1e15)]  #: quote per base
PaddedPrice = Annotated[float, Meta(ge=0.0, le=1e15)]  #: a price, or 0 where a venue pads a side that has fewer levels
Quantity = Annotated[float, Meta(ge=0.0, le=1e18)]  #: base; 0 removes a level
Sequence = Annotated[int, Meta(ge=0, le=2**62)]  #: a venue's update id
Timestamp = Annotated[int, Meta(ge=0, le=2**62)]  #: ms since the epoch, unless the venue says otherwise
