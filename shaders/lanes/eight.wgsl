// Eight floats that are loaded and stored at once, as four 64-bit words: on drivers that compute on the processor the cost
// of an access hardly depends on its width.
struct Eight {
    low: vec4f,
    high: vec4f,
}

const EIGHTS = 8u;

// The floats in the words of a buffer; the first of each two is in the lower half.
fn unpacked(words: vec4<u64>) -> Eight {
    let even = vec4u(words);
    let odd = vec4u(words >> vec4u(32u));
    let low = vec4u(even.x, odd.x, even.y, odd.y);
    let high = vec4u(even.z, odd.z, even.w, odd.w);
    return Eight(bitcast<vec4f>(low), bitcast<vec4f>(high));
}

fn packed(eight: Eight) -> vec4<u64> {
    let low = bitcast<vec4u>(eight.low);
    let high = bitcast<vec4u>(eight.high);
    let even = vec4<u64>(vec4u(low.x, low.z, high.x, high.z));
    let odd = vec4<u64>(vec4u(low.y, low.w, high.y, high.w));
    return even | (odd << vec4u(32u));
}
