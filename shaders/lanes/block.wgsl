// A block of a factor that stays in the registers of a subgroup: BLOCK terms of eight columns of each lane, in two halves.
alias Block = array<array<vec4f, EIGHTS>, BLOCK_EIGHTS>;

const BLOCK = BLOCK_EIGHTS * EIGHTS;

// A sum and the products of eight terms with as many rows of a block. Written out: lavapipe of Mesa 25 does not unroll a
// loop around another one, and would then look up each float of a block lane by lane.
fn with_eight(sum: Eight, terms: Eight, low: array<vec4f, EIGHTS>, high: array<vec4f, EIGHTS>) -> Eight {
    var total = sum;
    total.low += terms.low.x * low[0];
    total.high += terms.low.x * high[0];
    total.low += terms.low.y * low[1];
    total.high += terms.low.y * high[1];
    total.low += terms.low.z * low[2];
    total.high += terms.low.z * high[2];
    total.low += terms.low.w * low[3];
    total.high += terms.low.w * high[3];
    total.low += terms.high.x * low[4];
    total.high += terms.high.x * high[4];
    total.low += terms.high.y * low[5];
    total.high += terms.high.y * high[5];
    total.low += terms.high.z * low[6];
    total.high += terms.high.z * high[6];
    total.low += terms.high.w * low[7];
    total.high += terms.high.w * high[7];
    return total;
}
