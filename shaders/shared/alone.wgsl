// import shared/linear_index.wgsl

// Sums, SUMS in all, each by one invocation. together.wgsl says the same for several.
const SUMS = INVOCATIONS;
const SHARES = 1u;

// The number of its sum; there may be none.
fn sum_of(group: vec3u, local: u32) -> u32 {
    return linear_index(group, local);
}

// Whether it has nothing to do.
fn is_idle(sum: u32) -> bool {
    return sum >= SUMS;
}

// Whether it writes what comes of its share.
fn writes_share(group: vec3u, local: u32) -> bool {
    return true;
}

// Whether it writes what comes of the sum.
fn writes_sum(group: vec3u, local: u32) -> bool {
    return true;
}

// The first term of its share, which every SHARES-th one after it belongs to.
fn share_of(local: u32) -> u32 {
    return 0u;
}

// The sum of all shares.
fn together(own: Real, local: u32) -> Real {
    return own;
}

// The largest of all shares.
fn together_maximum(own: Real, local: u32) -> Real {
    return own;
}
