// import lanes/eight.wgsl

// Eights in buffers as four integers of 64 bits each, the widest access there is.
alias Eights = vec4<u64>;

// The floats in the words of a buffer; the first of each two is in the lower half.
fn unpacked(words: Eights) -> Eight {
    let even = vec4u(words);
    let odd = vec4u(words >> vec4u(32u));
    let low = vec4u(even.x, odd.x, even.y, odd.y);
    let high = vec4u(even.z, odd.z, even.w, odd.w);
    return Eight(bitcast<vec4f>(low), bitcast<vec4f>(high));
}

fn packed(eight: Eight) -> Eights {
    let low = bitcast<vec4u>(eight.low);
    let high = bitcast<vec4u>(eight.high);
    let even = vec4<u64>(vec4u(low.x, low.z, high.x, high.z));
    let odd = vec4<u64>(vec4u(low.y, low.w, high.y, high.w));
    return even | (odd << vec4u(32u));
}
