// Sums, SUMS in all, each by SHARES invocations of a workgroup; these are neighbours where the terms of a sum lie side by side (ALONG),
// else neighbours have neighbouring sums. Shares are added up pairwise, always alike. alone.wgsl says the same for one invocation.
const SUMS_HERE = WORKGROUP_SIZE / SHARES;

var<workgroup> shares: array<Real, WORKGROUP_SIZE>;

// The sum that it has a share of, counted within the workgroup.
fn sum_here(local: u32) -> u32 {
    return select(local % SUMS_HERE, local / SHARES, ALONG);
}

// The number of its sum, were there enough of them.
fn number(group: vec3u, local: u32) -> u32 {
    return (group.x + group.y * GROUPS_X) * SUMS_HERE + sum_here(local);
}

// The number of its sum. Those past the last have shares of the last one, which they do not write: all meet at the barriers.
fn sum_of(group: vec3u, local: u32) -> u32 {
    return min(number(group, local), SUMS - 1u);
}

// Whether it has nothing to do.
fn is_idle(sum: u32) -> bool {
    return false;
}

// Whether it writes what comes of its share.
fn writes_share(group: vec3u, local: u32) -> bool {
    return number(group, local) < SUMS;
}

// Whether it writes what comes of the sum.
fn writes_sum(group: vec3u, local: u32) -> bool {
    return writes_share(group, local) && share_of(local) == 0u;
}

// The first term of its share, which every SHARES-th one after it belongs to.
fn share_of(local: u32) -> u32 {
    return select(local / SUMS_HERE, local % SHARES, ALONG);
}

// What all shares come to, their sum or the largest of them. All invocations of a workgroup call it.
fn combined(own: Real, local: u32, largest: bool) -> Real {
    let share = share_of(local);
    let place = share * SUMS_HERE + sum_here(local);
    // Until nobody reads the shares of another call.
    workgroupBarrier();
    shares[place] = own;
    for (var half = SHARES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if share < half {
            let other = shares[place + half * SUMS_HERE];
            shares[place] = select(shares[place] + other, max(shares[place], other), largest);
        }
    }
    workgroupBarrier();
    return shares[sum_here(local)];
}

// The sum of all shares.
fn together(own: Real, local: u32) -> Real {
    return combined(own, local, false);
}

// The largest of all shares.
fn together_maximum(own: Real, local: u32) -> Real {
    return combined(own, local, true);
}
