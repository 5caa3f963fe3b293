# R's vcr: record.R TARGET URL...
library(vcr)
library(crul)

arguments <- commandArgs(trailingOnly = TRUE)
target <- arguments[1]
form <- tools::file_ext(target)
invisible(vcr_configure(dir = dirname(target), serialize_with = if (form == "yml") "yaml" else form))
invisible(use_cassette(tools::file_path_sans_ext(basename(target)), {
  for (url in arguments[-1]) {
    HttpClient$new(url, headers = list(Authorization = "Token test-key"))$get()
  }
}))
