"""What the referral credits of a Webshare account add up to."""
