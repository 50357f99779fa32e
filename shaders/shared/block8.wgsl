// A block of a factor that stays in the registers of a subgroup: BLOCK terms of eight columns of each lane, in two halves.
alias Block = array<array<vec4f, EIGHTS>, BLOCK_EIGHTS>;

const BLOCK = BLOCK_EIGHTS * EIGHTS;

// Each of the eight terms of four rows, as rows of a block.
fn across(a: Eight, b: Eight, c: Eight, d: Eight) -> array<vec4f, EIGHTS> {
    return array(
        vec4f(a.low.x, b.low.x, c.low.x, d.low.x),
        vec4f(a.low.y, b.low.y, c.low.y, d.low.y),
        vec4f(a.low.z, b.low.z, c.low.z, d.low.z),
        vec4f(a.low.w, b.low.w, c.low.w, d.low.w),
        vec4f(a.high.x, b.high.x, c.high.x, d.high.x),
        vec4f(a.high.y, b.high.y, c.high.y, d.high.y),
        vec4f(a.high.z, b.high.z, c.high.z, d.high.z),
        vec4f(a.high.w, b.high.w, c.high.w, d.high.w),
    );
}

// A sum and the products of eight terms with as many rows of a block. Written out: some drivers unroll no loop that has
// another one in it, and a block in a loop that stays one is not in registers.
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
