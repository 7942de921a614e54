//! Triangles to pixels. Axis-aligned quads (every glyph and most fills) take a short way.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "coordinates are clamped to the picture before they become pixel numbers"
)]

use std::collections::BTreeMap;

use eframe::egui::{
    ClippedPrimitive, ImageData, Mesh, Rgba, TextureId, TexturesDelta, Vec2,
    epaint::{ImageDelta, Primitive, Vertex},
};

use super::Picture;

type Texel = [f32; 4];

/// Textures and the way from meshes to pixels.
#[derive(Debug, Default)]
pub struct Rasteriser {
    textures: BTreeMap<TextureId, Texture>,
}

#[derive(Debug, Default)]
struct Texture {
    width: usize,
    height: usize,
    texels: Vec<Texel>,
}

/// A rectangle of pixels, half-open.
#[derive(Debug, Clone, Copy)]
struct Clip {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

struct Target {
    width: usize,
    pixels: Vec<Texel>,
}

impl Rasteriser {
    /// Takes textures as egui hands them out; leaves the delta empty.
    #[expect(clippy::iter_over_hash_type, reason = "each texture is its own; the order changes nothing")]
    pub fn update(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in std::mem::take(&mut delta.set) {
            for image in images {
                self.set(id, &image);
            }
        }
        for id in std::mem::take(&mut delta.free) {
            self.textures.remove(&id);
        }
    }

    fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        let texels = image.pixels.iter().map(|color| color.to_array().map(|part| f32::from(part) / 255.0));
        let Some([left, top]) = delta.pos else {
            let texture = Texture { width: image.width(), height: image.height(), texels: texels.collect() };
            self.textures.insert(id, texture);
            return;
        };
        let Some(texture) = self.textures.get_mut(&id) else { return };
        let (width, stride) = (image.width().max(1), texture.width);
        for (at, texel) in texels.enumerate() {
            let place = (top + at / width) * stride + left + at % width;
            if let Some(slot) = texture.texels.get_mut(place) {
                *slot = texel;
            }
        }
    }

    /// Paints meshes over a background into a picture of `size` pixels.
    pub fn paint(
        &self,
        primitives: &[ClippedPrimitive],
        density: f32,
        size: Vec2,
        background: Rgba,
    ) -> Picture {
        let (width, height) = (size.x.round().max(1.0) as usize, size.y.round().max(1.0) as usize);
        let ground = eframe::egui::Color32::from(background).to_array().map(|part| f32::from(part) / 255.0);
        let mut target = Target { width, pixels: vec![ground; width * height] };
        for primitive in primitives {
            let Primitive::Mesh(mesh) = &primitive.primitive else { continue };
            let Some(texture) = self.textures.get(&mesh.texture_id) else { continue };
            let rect = primitive.clip_rect;
            let edge = |value: f32, most: usize| (value * density).round().clamp(0.0, most as f32) as usize;
            let clip = Clip {
                left: edge(rect.min.x, width),
                top: edge(rect.min.y, height),
                right: edge(rect.max.x, width),
                bottom: edge(rect.max.y, height),
            };
            target.mesh(mesh, texture, clip, density);
        }
        let rgba = target
            .pixels
            .iter()
            .flat_map(|pixel| {
                let [red, green, blue, _] = pixel.map(|part| (part * 255.0 + 0.5).clamp(0.0, 255.0) as u8);
                [red, green, blue, 255]
            })
            .collect();
        Picture { width: width as u32, height: height as u32, rgba }
    }
}

impl Texture {
    fn texel(&self, x: f32, y: f32) -> Texel {
        let column = (x.max(0.0) as usize).min(self.width.saturating_sub(1));
        let row = (y.max(0.0) as usize).min(self.height.saturating_sub(1));
        self.texels.get(row * self.width + column).copied().unwrap_or_default()
    }

    /// Bilinear, clamped at the edges.
    fn sample(&self, u: f32, v: f32) -> Texel {
        let (x, y) = (u * self.width as f32 - 0.5, v * self.height as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_share, low_share) = (x - left, y - top);
        // Text at the density of its atlas hits texels exactly.
        if right_share < 1e-3 && low_share < 1e-3 {
            return self.texel(left, top);
        }
        let upper = mix(self.texel(left, top), self.texel(left + 1.0, top), right_share);
        let lower = mix(self.texel(left, top + 1.0), self.texel(left + 1.0, top + 1.0), right_share);
        mix(upper, lower, low_share)
    }
}

fn mix(a: Texel, b: Texel, share: f32) -> Texel {
    zip(a, b, |a, b| a + (b - a) * share)
}

fn zip(a: Texel, b: Texel, with: impl Fn(f32, f32) -> f32) -> Texel {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a, b);
    [with(a0, b0), with(a1, b1), with(a2, b2), with(a3, b3)]
}

/// Premultiplied "over".
fn blend(under: &mut Texel, over: Texel) {
    let [_, _, _, alpha] = over;
    let through = 1.0 - alpha;
    *under = zip(*under, over, |under, over| over + under * through);
}

fn color(vertex: &Vertex) -> Texel {
    vertex.color.to_array().map(|part| f32::from(part) / 255.0)
}

impl Target {
    fn mesh(&mut self, mesh: &Mesh, texture: &Texture, clip: Clip, density: f32) {
        let vertex = |index: &u32| mesh.vertices.get(*index as usize);
        let mut rest = mesh.indices.as_slice();
        while let [a, b, c, tail @ ..] = rest {
            if let [d, e, f, after @ ..] = tail
                && let Some(quad) = quad([a, b, c, d, e, f].map(vertex))
            {
                self.quad(quad, texture, clip, density);
                rest = after;
                continue;
            }
            if let (Some(a), Some(b), Some(c)) = (vertex(a), vertex(b), vertex(c)) {
                self.triangle([a, b, c], texture, clip, density);
            }
            rest = tail;
        }
    }

    fn row(&mut self, y: usize, left: usize, right: usize) -> &mut [Texel] {
        let start = y * self.width;
        self.pixels.get_mut(start + left..start + right.max(left)).unwrap_or_default()
    }

    /// A rectangle of one colour, with a texture stretched over it.
    fn quad(&mut self, (min, max): (&Vertex, &Vertex), texture: &Texture, clip: Clip, density: f32) {
        let tint = color(min);
        let (x0, y0, x1, y1) =
            (min.pos.x * density, min.pos.y * density, max.pos.x * density, max.pos.y * density);
        // A pixel belongs to the rectangle when its centre does.
        let first = |edge: f32, least: usize, most: usize| {
            ((edge - 0.5).ceil().max(0.0) as usize).clamp(least, most.max(least))
        };
        let (left, right) = (first(x0, clip.left, clip.right), first(x1, clip.left, clip.right));
        let (top, bottom) = (first(y0, clip.top, clip.bottom), first(y1, clip.top, clip.bottom));
        if min.uv == max.uv {
            let fill = zip(texture.sample(min.uv.x, min.uv.y), tint, |a, b| a * b);
            for y in top..bottom {
                self.row(y, left, right).iter_mut().for_each(|pixel| blend(pixel, fill));
            }
            return;
        }
        let (du, dv) = ((max.uv.x - min.uv.x) / (x1 - x0), (max.uv.y - min.uv.y) / (y1 - y0));
        for y in top..bottom {
            let v = min.uv.y + (y as f32 + 0.5 - y0) * dv;
            for (x, pixel) in (left..right).zip(self.row(y, left, right)) {
                let u = min.uv.x + (x as f32 + 0.5 - x0) * du;
                blend(pixel, zip(texture.sample(u, v), tint, |a, b| a * b));
            }
        }
    }

    fn triangle(&mut self, corners: [&Vertex; 3], texture: &Texture, clip: Clip, density: f32) {
        let [a, b, c] = corners.map(|vertex| (fixed(vertex.pos.x * density), fixed(vertex.pos.y * density)));
        let area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        if area == 0 {
            return;
        }
        let turn = area.signum();
        let edges = [Edge::new(b, c, turn), Edge::new(c, a, turn), Edge::new(a, b, turn)];
        let whole = area.abs() as f32;
        let pixel_of = |value: i64| (value.max(0) / ONE) as usize;
        let low = pixel_of(a.1.min(b.1).min(c.1)).max(clip.top);
        let high = (pixel_of(a.1.max(b.1).max(c.1)) + 1).min(clip.bottom);
        let [color_a, color_b, color_c] = corners.map(color);
        let [uv_a, uv_b, uv_c] = corners.map(|vertex| vertex.uv);
        let flat_texel = (uv_a == uv_b && uv_b == uv_c).then(|| texture.sample(uv_a.x, uv_a.y));
        let [one, two, three] = corners.map(|vertex| vertex.color);
        let flat =
            if one == two && two == three { flat_texel.map(|t| zip(t, color_a, |a, b| a * b)) } else { None };
        for y in low..high {
            let y_center = y as i64 * ONE + ONE / 2;
            let (from, to) = span(&edges, y_center);
            let left = pixel_of(from.saturating_sub(ONE)).clamp(clip.left, clip.right.max(clip.left));
            let right = (pixel_of(to.saturating_add(ONE)) + 1).clamp(left, clip.right.max(left));
            for (x, pixel) in (left..right).zip(self.row(y, left, right)) {
                let x_center = x as i64 * ONE + ONE / 2;
                let values = edges.each_ref().map(|edge| edge.at(x_center, y_center));
                if !values.iter().zip(&edges).all(|(&value, edge)| value > 0 || (value == 0 && edge.owns)) {
                    continue;
                }
                if let Some(flat) = flat {
                    blend(pixel, flat);
                    continue;
                }
                let [la, lb, lc] = values.map(|value| value as f32 / whole);
                let tint = zip(zip(color_a, color_b, |a, b| a * la + b * lb), color_c, |sum, c| sum + c * lc);
                let texel = flat_texel.unwrap_or_else(|| {
                    texture.sample(
                        uv_a.x * la + uv_b.x * lb + uv_c.x * lc,
                        uv_a.y * la + uv_b.y * lb + uv_c.y * lc,
                    )
                });
                blend(pixel, zip(texel, tint, |a, b| a * b));
            }
        }
    }
}

/// Parts of a pixel. Whole-number edges make neighbours agree on every pixel: no holes, none painted twice.
const ONE: i64 = 256;

fn fixed(value: f32) -> i64 {
    // Far outside of any picture the exact place no longer matters, and products stay within 64 bits.
    (value.clamp(-100_000.0, 100_000.0) * ONE as f32).round() as i64
}

/// One edge as a line function: positive inside, 0 on the edge.
struct Edge {
    x: i64,
    y: i64,
    constant: i64,
    /// Whether a pixel centre exactly on the edge belongs to this triangle (top and left edges do).
    owns: bool,
}

impl Edge {
    fn new(from: (i64, i64), to: (i64, i64), turn: i64) -> Edge {
        let (dx, dy) = ((to.0 - from.0) * turn, (to.1 - from.1) * turn);
        Edge { x: -dy, y: dx, constant: dy * from.0 - dx * from.1, owns: dy < 0 || (dy == 0 && dx > 0) }
    }

    fn at(&self, x: i64, y: i64) -> i64 {
        self.x * x + self.y * y + self.constant
    }
}

/// Where on a row all three edges hold, to within a part of a pixel.
fn span(edges: &[Edge; 3], y: i64) -> (i64, i64) {
    let (mut from, mut to) = (i64::MIN, i64::MAX);
    for edge in edges {
        let rest = edge.y * y + edge.constant;
        if edge.x > 0 {
            from = from.max(-rest / edge.x - 1);
        } else if edge.x < 0 {
            to = to.min(-rest / edge.x + 1);
        }
    }
    (from, to)
}

/// The two opposite corners, if six corners are two triangles of one upright rectangle of one colour.
fn quad(corners: [Option<&Vertex>; 6]) -> Option<(&Vertex, &Vertex)> {
    let [Some(first), Some(second), Some(third), Some(again), Some(once_more), Some(last)] = corners else {
        return None;
    };
    if [second, third, last].iter().any(|vertex| vertex.color != first.color) {
        return None;
    }
    // egui writes both (0 1 2)(2 1 3) and (0 1 2)(0 2 3).
    let fourth = if std::ptr::eq(third, again) && std::ptr::eq(second, once_more) {
        opposite(first, last, second, third)
    } else if std::ptr::eq(first, again) && std::ptr::eq(third, once_more) {
        opposite(first, third, second, last)
    } else {
        None
    };
    fourth.filter(|(min, max)| max.pos.x > min.pos.x && max.pos.y > min.pos.y)
}

fn opposite<'a>(
    one: &'a Vertex,
    other: &'a Vertex,
    third: &Vertex,
    fourth: &Vertex,
) -> Option<(&'a Vertex, &'a Vertex)> {
    let fits = |corner: &Vertex, x: &Vertex, y: &Vertex| {
        let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
        same(corner.pos.x, x.pos.x)
            && same(corner.pos.y, y.pos.y)
            && same(corner.uv.x, x.uv.x)
            && same(corner.uv.y, y.uv.y)
    };
    let upright = (fits(third, one, other) && fits(fourth, other, one))
        || (fits(third, other, one) && fits(fourth, one, other));
    if !upright {
        return None;
    }
    Some(if one.pos.x <= other.pos.x && one.pos.y <= other.pos.y { (one, other) } else { (other, one) })
}
