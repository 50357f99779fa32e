// The terms of a block that lie across the rows of a factor, of which a lane has one in LANES, for eight rows at once.
const LOADS_ACROSS = BLOCK / LANES;

alias Across = array<Eight, LOADS_ACROSS>;

const_assert BLOCK % LANES == 0u && LANES % 4u == 0u;

// Element e of a lane's terms.
fn of_row(terms: Eight, e: u32) -> f32 {
    let four = select(terms.low, terms.high, vec4<bool>(e >= 4u));
    return four[e % 4u];
}

// One float of each of four lanes, from `first` on.
fn from_four(own: f32, first: u32) -> vec4f {
    return vec4f(
        given(own, 0u, first, LANES),
        given(own, 0u, first + 1u, LANES),
        given(own, 0u, first + 2u, LANES),
        given(own, 0u, first + 3u, LANES),
    );
}

// The sums of eight columns of each lane, and of eight more.
struct Sums {
    first: Eight,
    more: Eight,
}

// The products of BLOCK terms with a block of eight columns, or with two of them: element e of each of these.
fn products_across(
    terms: ptr<function, Across>,
    e: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
    more_low: ptr<function, Block>,
    more_high: ptr<function, Block>,
) -> Sums {
    var total = Sums();
    for (var u = 0u; u < BLOCK_EIGHTS; u++) {
        let first = u * EIGHTS;
        let four = from_four(of_row((*terms)[first / LANES], e), first % LANES);
        let more = from_four(of_row((*terms)[(first + 4u) / LANES], e), (first + 4u) % LANES);
        total.first = with_eight(total.first, Eight(four, more), (*low)[u], (*high)[u]);
        if COLUMN_EIGHTS > 1u {
            total.more = with_eight(total.more, Eight(four, more), (*more_low)[u], (*more_high)[u]);
        }
    }
    return total;
}

// A sum and the products of BLOCK terms with a block of eight columns: element e of each of these.
fn with_products_across(
    sum: Eight,
    terms: ptr<function, Across>,
    e: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var total = sum;
    for (var u = 0u; u < BLOCK_EIGHTS; u++) {
        let first = u * EIGHTS;
        let four = from_four(of_row((*terms)[first / LANES], e), first % LANES);
        let more = from_four(of_row((*terms)[(first + 4u) / LANES], e), (first + 4u) % LANES);
        total = with_eight(total, Eight(four, more), (*low)[u], (*high)[u]);
    }
    return total;
}
