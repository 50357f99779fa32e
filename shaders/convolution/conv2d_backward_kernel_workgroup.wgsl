// import shared/kernel_gradient.wgsl

// conv2d_backward_kernel, as a product through workgroup memory (shared/kernel_gradient.wgsl), four channels of x at a time.
// GROUP_IN and GROUP_OUT are multiples of 4.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

// A Real of channels of x under a tap of the window whose first pixel this is.
fn x_channels(place: Place, corner: u32, is_inside: bool) -> Real {
    let is_there = is_inside && place.are_rows.x;
    return select(Real(), x[X_BASE + select(0u, (corner + place.taps.x) / WIDTH, is_there)], is_there);
}
