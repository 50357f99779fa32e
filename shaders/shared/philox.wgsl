// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011), bit for bit as src/random.rs: four random words for a counter under
// a key.
const PHILOX_MULTIPLIERS = vec2u(0xD2511F53u, 0xCD9E8D57u);
const PHILOX_WEYL = vec2u(0x9E3779B9u, 0xBB67AE85u);
const PHILOX_ROUNDS = 10u;

// The upper half of a product of 64 bits, from halves of its factors.
fn high_product(a: u32, b: u32) -> u32 {
    let low = (a & 0xFFFFu) * (b & 0xFFFFu);
    let middle = (a >> 16u) * (b & 0xFFFFu) + (low >> 16u);
    let other = (a & 0xFFFFu) * (b >> 16u) + (middle & 0xFFFFu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
    var c = counter;
    var k = key;
    for (var round = 0u; round < PHILOX_ROUNDS; round++) {
        let first = PHILOX_MULTIPLIERS.x * c.x;
        let second = PHILOX_MULTIPLIERS.y * c.z;
        let first_high = high_product(PHILOX_MULTIPLIERS.x, c.x);
        let second_high = high_product(PHILOX_MULTIPLIERS.y, c.z);
        c = vec4u(second_high ^ c.y ^ k.x, second, first_high ^ c.w ^ k.y, first);
        k += PHILOX_WEYL;
    }
    return c;
}
