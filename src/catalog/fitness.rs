//! What makes a version folder fit to be offered and handed out, and what stands against it.

use std::io;

use super::image::FitImage;
use super::offer_file::OfferFile;
use crate::config::Settings;
use crate::problem::Problem;
use crate::sha256::Digest;

/// How large an image may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// `min_image_kb`.
    pub min_kb: u32,
    /// `max_image_kb`.
    pub max_kb: u32,
}

impl From<&Settings> for Sizes {
    fn from(settings: &Settings) -> Sizes {
        Sizes { min_kb: settings.min_image_kb, max_kb: settings.max_image_kb }
    }
}

/// The images that a version had when it was last fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownImages {
    digests: [Digest; 2],
    modified: [u64; 2],
}

/// What makes a version fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// In the order of `IMAGE_NAMES`.
    pub images: [FitImage; 2],
    /// Who it is for.
    pub offer: OfferFile,
    /// Whether `SHA256SUMS` says so.
    pub is_vouched: bool,
}

impl Fit {
    /// Bytes of both images.
    pub fn length(&self) -> u64 {
        self.images.iter().map(|image| image.stamp.length).sum()
    }

    /// Whether both images are those of `other`, to the byte.
    pub fn has_images_of(&self, other: &Fit) -> bool {
        self.images.each_ref().map(|image| image.digest) == other.images.each_ref().map(|image| image.digest)
    }

    /// Makes the dates of the images later than those of other bytes, whatever the files' own: a 304 by date must mean the same
    /// bytes. Returns whether both are those that were known.
    pub fn take_dates(&mut self, known: &KnownImages) -> bool {
        let mut is_known = true;
        for (index, image) in self.images.iter_mut().enumerate() {
            let is_same = image.digest == known.digests[index];
            image.modified = image.modified.max(known.modified[index] + u64::from(!is_same));
            is_known &= is_same;
        }
        is_known
    }

    /// What is to be remembered of it.
    pub fn known(&self) -> KnownImages {
        let images = self.images.each_ref();
        KnownImages { digests: images.map(|image| image.digest), modified: images.map(|image| image.modified) }
    }
}

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Why it is fit; `None` if it is not.
    pub fit: Option<Fit>,
    /// What stands against it; where it is fit, what an operator should see to all the same.
    pub problems: Vec<Problem>,
    /// A read error stood in the way: it is to be tried again.
    pub is_retried: bool,
}

impl Judgement {
    /// The first thing that stands against the version.
    pub fn obstacle(&self) -> Option<&Problem> {
        self.problems.first().filter(|_| self.fit.is_none())
    }
}

/// Why nothing was found out.
#[derive(Debug)]
pub enum Undecided {
    /// A file changed while it was read.
    Changing,
    /// Descriptors or memory have run out.
    Shortage(io::Error),
}
