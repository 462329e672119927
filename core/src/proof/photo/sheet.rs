//! Decoded pixels on their way to the size of the proof.
//!
//! JPEG decodes into planes. Everything else comes as rows of RGB, which are averaged down and turned
//! into planes while they come, so that a large picture is never held whole.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::PhotoError;
use super::plane::{Picture, Plane, Turn};

/// A plane inside a [`Sheet`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) start: usize,
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Planes as they were decoded, one behind the other.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) bytes: Vec<u8>,
    pub(super) luma: Area,
    /// Of any size that covers the picture.
    pub(super) chroma: Option<[Area; 2]>,
}

impl Sheet {
    /// The upright picture of this stored size, with colour at half of it.
    pub(super) fn picture(
        &self,
        (width, height): (usize, usize),
        turn: Turn,
    ) -> Result<Picture, PhotoError> {
        let mut resizer = Resizer::new();
        let mut to = |area: &Area, size: (usize, usize)| {
            let plane = resize(&mut resizer, &self.bytes, area, size, FilterType::Lanczos3);
            // Its working memory is larger than the plane, which is copied once more to be turned.
            resizer.reset_internal_buffers();
            plane
        };
        let luma = to(&self.luma, (width, height))?.turned(turn);
        let half = (width.div_ceil(2), height.div_ceil(2));
        let chroma = match &self.chroma {
            None => None,
            Some([blue, red]) => Some([to(blue, half)?.turned(turn), to(red, half)?.turned(turn)]),
        };
        Ok(Picture { luma, chroma })
    }
}

impl Picture {
    /// A smaller copy; averaged, which is enough for a list or a look.
    pub(super) fn smaller(&self, width: usize, height: usize) -> Result<Self, PhotoError> {
        let half = (width.div_ceil(2), height.div_ceil(2));
        let chroma = match &self.chroma {
            None => None,
            Some([blue, red]) => Some([blue.smaller(half)?, red.smaller(half)?]),
        };
        Ok(Self {
            luma: self.luma.smaller((width, height))?,
            chroma,
        })
    }

    /// Squares of `by` × `by` pixels averaged to one.
    pub(super) fn shrunk(&self, by: usize) -> Self {
        Self {
            luma: self.luma.shrunk(by),
            chroma: self
                .chroma
                .as_ref()
                .map(|[blue, red]| [blue.shrunk(by), red.shrunk(by)]),
        }
    }
}

impl Plane {
    fn smaller(&self, size: (usize, usize)) -> Result<Self, PhotoError> {
        let area = Area {
            start: 0,
            stride: self.width,
            width: self.width,
            height: self.height,
        };
        let filter = FilterType::Bilinear;
        resize(&mut Resizer::new(), &self.bytes, &area, size, filter)
    }

    fn shrunk(&self, by: usize) -> Self {
        let (across, down) = (
            by.clamp(1, self.width.max(1)),
            by.clamp(1, self.height.max(1)),
        );
        let (width, height) = (self.width / across, self.height / down);
        let area = u32::try_from(across * down).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(width * height);
        let mut sums = vec![0u16; self.width];
        for rows in self.bytes.chunks_exact((self.width * down).max(1)) {
            sums.fill(0);
            // 255 rows at most fit; a picture this much larger than its thumbnail is a mere line.
            for row in rows.chunks_exact(self.width).take(255) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += u16::from(*value);
                }
            }
            bytes.extend(sums.chunks_exact(across).map(|part| {
                let sum: u32 = part.iter().map(|s| u32::from(*s)).sum();
                u8::try_from(sum / area).unwrap_or(u8::MAX)
            }));
        }
        Self {
            width,
            height,
            bytes,
        }
    }
}

fn resize(
    resizer: &mut Resizer,
    bytes: &[u8],
    area: &Area,
    (width, height): (usize, usize),
    filter: FilterType,
) -> Result<Plane, PhotoError> {
    let bytes = bytes
        .get(area.start..area.start + area.stride * area.height)
        .ok_or(PhotoError::Damaged)?;
    if (area.width, area.height) == (width, height) {
        let rows = bytes
            .chunks_exact(area.stride)
            .filter_map(|row| row.get(..width));
        return Ok(Plane {
            width,
            height,
            bytes: rows.flatten().copied().collect(),
        });
    }
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| PhotoError::Damaged);
    // Typed, so that the library's code for other kinds of pixels stays out of the app.
    let source = TypedImageRef::<U8>::from_buffer(side(area.stride)?, side(area.height)?, bytes)
        .map_err(|_| PhotoError::Damaged)?;
    let mut out = vec![0; width * height];
    let mut target = TypedImage::<U8>::from_buffer(side(width)?, side(height)?, &mut out)
        .map_err(|_| PhotoError::Damaged)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(
            0.0,
            0.0,
            f64::from(side(area.width)?),
            f64::from(side(area.height)?),
        );
    resizer
        .resize_typed(&source, &mut target, &options)
        .map_err(|_| PhotoError::Damaged)?;
    Ok(Plane {
        width,
        height,
        bytes: out,
    })
}

/// Takes rows of RGB or grey and makes a sheet of them.
pub(super) struct RowSink {
    width: usize,
    /// So many columns and rows become one.
    shrink: usize,
    grey: bool,
    /// Sums over `shrink` rows, and how many of them are in.
    sums: Vec<u32>,
    summed_rows: usize,
    /// The last full row, waiting for its neighbour to halve colour with.
    waiting: Vec<[u8; 3]>,
    luma: Vec<u8>,
    blue: Vec<u8>,
    red: Vec<u8>,
    out_width: usize,
    out_rows: usize,
    has_waiting: bool,
}

impl RowSink {
    /// For a picture of this size whose longer side is to become `long_side_px` later; a sharp
    /// resampling from up to twice that cannot be told from one of the whole.
    pub(super) fn new(width: usize, height: usize, long_side_px: u32, grey: bool) -> Self {
        let target = usize::try_from(long_side_px.max(1)).unwrap_or(1);
        let shrink = (width.max(height) / target).max(1);
        let out_width = (width / shrink).max(1);
        let out_height = (height / shrink).max(1);
        let pixels = out_width * out_height;
        let half = if grey {
            0
        } else {
            out_width.div_ceil(2) * out_height.div_ceil(2)
        };
        Self {
            width,
            shrink,
            grey,
            sums: vec![0; out_width * if grey { 1 } else { 3 }],
            summed_rows: 0,
            waiting: vec![[0; 3]; if grey { 0 } else { out_width }],
            luma: Vec::with_capacity(pixels),
            blue: Vec::with_capacity(half),
            red: Vec::with_capacity(half),
            out_width,
            out_rows: 0,
            has_waiting: false,
        }
    }

    /// One row of the source: a byte a pixel if grey, else three.
    pub(super) fn row(&mut self, row: &[u8]) {
        let channels = if self.grey { 1 } else { 3 };
        let row = row.get(..self.width * channels).unwrap_or(row);
        let pixels = self.shrink.min(self.width);
        for (sums, pixels) in self
            .sums
            .chunks_exact_mut(channels)
            .zip(row.chunks(pixels * channels))
        {
            for pixel in pixels.chunks_exact(channels) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*value);
                }
            }
        }
        self.summed_rows += 1;
        if self.summed_rows == self.shrink {
            self.emit();
        }
    }

    fn emit(&mut self) {
        let area = u32::try_from(self.shrink.min(self.width) * self.summed_rows).unwrap_or(1);
        let mean = |sum: u32| u8::try_from((sum + area / 2) / area).unwrap_or(u8::MAX);
        self.summed_rows = 0;
        self.out_rows += 1;
        if self.grey {
            self.luma.extend(self.sums.iter().map(|s| mean(*s)));
            self.sums.fill(0);
            return;
        }
        let pixels: Vec<[u8; 3]> = self
            .sums
            .as_chunks::<3>()
            .0
            .iter()
            .map(|p| p.map(mean))
            .collect();
        self.sums.fill(0);
        self.luma.extend(pixels.iter().map(|p| luma(*p)));
        if self.has_waiting {
            let above = core::mem::take(&mut self.waiting);
            self.colour(&above, &pixels);
        }
        self.has_waiting = !self.has_waiting;
        self.waiting = pixels;
    }

    fn colour(&mut self, above: &[[u8; 3]], below: &[[u8; 3]]) {
        for (a, b) in above.chunks(2).zip(below.chunks(2)) {
            let count = i32::try_from(a.len() + b.len()).unwrap_or(1);
            let mut sum = [0i32; 3];
            for pixel in a.iter().chain(b) {
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += i32::from(*value);
                }
            }
            let [r, g, b] = sum.map(|s| s * 4 / count);
            // JFIF's weights × 2¹⁶; the sums are four times a pixel.
            let level = |v: i32| byte(((v >> 2) + (128 << 16) + 32_768) >> 16);
            self.blue.push(level(-11_059 * r - 21_709 * g + 32_768 * b));
            self.red.push(level(32_768 * r - 27_439 * g - 5_329 * b));
        }
    }

    /// The sheet, once all rows are in. Rows left over at the lower edge are dropped, at most
    /// `shrink` - 1 of them.
    pub(super) fn finish(mut self) -> Result<Sheet, PhotoError> {
        if self.out_rows == 0 && self.summed_rows > 0 {
            self.emit();
        }
        if self.out_rows == 0 {
            return Err(PhotoError::Damaged);
        }
        if self.has_waiting && !self.grey {
            let last = core::mem::take(&mut self.waiting);
            self.colour(&last, &last);
        }
        let (width, height) = (self.out_width, self.out_rows);
        let luma = Area {
            start: 0,
            stride: width,
            width,
            height,
        };
        let half = Area {
            start: self.luma.len(),
            stride: width.div_ceil(2),
            width: width.div_ceil(2),
            height: height.div_ceil(2),
        };
        let red = Area {
            start: self.luma.len() + self.blue.len(),
            ..half
        };
        let chroma = (!self.grey).then_some([half, red]);
        let mut bytes = self.luma;
        bytes.append(&mut self.blue);
        bytes.append(&mut self.red);
        Ok(Sheet {
            bytes,
            luma,
            chroma,
        })
    }
}

fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 19_595 * i32::from(r) + 38_470 * i32::from(g) + 7_471 * i32::from(b);
    byte((sum + 32_768) >> 16)
}

fn byte(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(0)
}
