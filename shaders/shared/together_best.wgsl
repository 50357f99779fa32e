// import shared/together.wgsl
// import shared/first_maximum.wgsl

var<workgroup> best_values: array<f32, WORKGROUP_SIZE>;
var<workgroup> best_places: array<u32, WORKGROUP_SIZE>;

// The first of the best of all shares. All invocations of a workgroup call it.
fn together_best(own: Best, local: u32) -> Best {
    let share = share_of(local);
    let place = share * SUMS_HERE + sum_here(local);
    var best = own;
    // Until nobody reads the shares of another call.
    workgroupBarrier();
    best_values[place] = best.value;
    best_places[place] = best.place;
    for (var half = SHARES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if share < half {
            let other = Best(best_values[place + half * SUMS_HERE], best_places[place + half * SUMS_HERE]);
            if other.value > best.value || (other.value == best.value && other.place < best.place) {
                best = other;
            }
            best_values[place] = best.value;
            best_places[place] = best.place;
        }
    }
    workgroupBarrier();
    return Best(best_values[sum_here(local)], best_places[sum_here(local)]);
}
