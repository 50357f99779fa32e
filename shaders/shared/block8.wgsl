// A block of a factor that stays in the registers of a subgroup: BLOCK terms of four columns of each lane.
alias Block = array<array<vec4f, EIGHTS>, LANES>;

const BLOCK = LANES * EIGHTS;

// A sum and the products of BLOCK terms with a block of eight columns, of which each lane brings every eighth: element e of
// each of these.
fn with_products_across(
    sum: Eight,
    terms: array<vec4f, EIGHTS>,
    e: u32,
    low: ptr<function, Block>,
    high: ptr<function, Block>,
) -> Eight {
    var mine = terms;
    var total = sum;
    for (var u = 0u; u < EIGHTS; u++) {
        let own = mine[u][e];
        for (var giver = 0u; giver < LANES; giver++) {
            let term = subgroupShuffle(own, giver);
            total.low += term * (*low)[u][giver];
            total.high += term * (*high)[u][giver];
        }
    }
    return total;
}
