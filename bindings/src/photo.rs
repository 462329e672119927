//! Photos beyond a file's path: pixels the platform decoded, and how photos are to be made here.

use satchel_core::proof::photo;

use crate::codes::PhotoOrigin;
use crate::convert::id;
use crate::door::Photo;
use crate::error::SatchelError;
use crate::satchel::Satchel;

/// How large and how good photos are made on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PhotoTargets {
    /// Longer side of the proof, 640 to 4,096.
    pub long_side_px: u32,
    /// Size to stay under, 20,000 to 4,000,000.
    pub budget_bytes: u32,
    /// Lowest quality, 1 to 95; below it fewer pixels are kept instead.
    pub quality_min: u8,
    /// Highest quality, up to 95.
    pub quality_max: u8,
}

impl From<photo::PhotoTargets> for PhotoTargets {
    fn from(targets: photo::PhotoTargets) -> Self {
        Self {
            long_side_px: targets.long_side_px,
            budget_bytes: targets.budget_bytes,
            quality_min: targets.quality_min,
            quality_max: targets.quality_max,
        }
    }
}

impl From<PhotoTargets> for photo::PhotoTargets {
    fn from(targets: PhotoTargets) -> Self {
        Self {
            long_side_px: targets.long_side_px,
            budget_bytes: targets.budget_bytes,
            quality_min: targets.quality_min,
            quality_max: targets.quality_max,
        }
    }
}

/// Targets for a metered or poor link: a label still reads, at a third of the bytes.
#[uniffi::export]
pub fn low_data_photo_targets() -> PhotoTargets {
    photo::PhotoTargets::LOW_DATA.into()
}

/// Targets for everyone else; what a new phone starts with.
#[uniffi::export]
pub fn standard_photo_targets() -> PhotoTargets {
    photo::PhotoTargets::STANDARD.into()
}

/// Pixels the platform decoded: red, green, blue and opacity, a byte each, in sRGB.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DecodedPhoto {
    /// Row by row.
    pub rgba: Vec<u8>,
    /// Pixels in a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// Bytes from one row to the next, at least four times the width.
    pub stride_bytes: u32,
    /// EXIF orientation of the pixels as they are; 1 if the platform turned them already.
    #[uniffi(default = 1)]
    pub orientation: u16,
}

/// The picture must not reach a log.
impl std::fmt::Debug for DecodedPhoto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodedPhoto")
            .field("width_px", &self.width_px)
            .field("height_px", &self.height_px)
            .finish_non_exhaustive()
    }
}

#[uniffi::export]
impl Satchel {
    /// Takes over a picture the platform decoded, which is the way in for HEIC; else like `addPhoto`.
    ///
    /// # Errors
    /// As `addPhoto`; `PhotoRejected` too when there are fewer bytes than the size says.
    pub fn add_decoded_photo(
        &self,
        attempt_id: String,
        picture: DecodedPhoto,
        origin: PhotoOrigin,
    ) -> Result<Photo, SatchelError> {
        let source = photo::PhotoSource::Rgba(photo::RgbaImage {
            pixels: &picture.rgba,
            width_px: picture.width_px,
            height_px: picture.height_px,
            stride_bytes: usize::try_from(picture.stride_bytes).unwrap_or(usize::MAX),
            orientation: picture.orientation,
        });
        let attempt = id(&attempt_id, "attempt_id")?;
        Ok(self.courier.add_photo(attempt, source, origin)?.into())
    }

    /// How photos are made on this phone.
    ///
    /// # Errors
    /// The store's.
    pub fn photo_targets(&self) -> Result<PhotoTargets, SatchelError> {
        Ok(self.courier.photo_targets()?.into())
    }

    /// Sets how photos are made from now on, as the tenant or a metered link wants.
    ///
    /// # Errors
    /// `InvalidInput` for values out of range; nothing is changed then.
    pub fn set_photo_targets(&self, targets: PhotoTargets) -> Result<(), SatchelError> {
        Ok(self.courier.set_photo_targets(&targets.into())?)
    }
}
