// The terms of a block that lie across the rows of a factor, of which a lane has every eighth, for eight rows at once.
alias Across = array<Eight, EIGHTS>;

// A sum and the products of BLOCK terms with a block of eight columns: element e of each of these.
fn with_products_across(
    sum: Eight,
    terms: ptr<function, Across>,
    e: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var total = sum;
    for (var u = 0u; u < EIGHTS; u++) {
        let four = select((*terms)[u].low, (*terms)[u].high, vec4<bool>(e >= 4u));
        let own = four[e % 4u];
        for (var giver = 0u; giver < LANES; giver++) {
            let term = subgroupShuffle(own, giver);
            total.low += term * (*low)[u][giver];
            total.high += term * (*high)[u][giver];
        }
    }
    return total;
}
