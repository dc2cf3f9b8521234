# Times one program on one task, as timed.py does.
# Arguments: the program, the folder with a file per column, the steps joined by commas, how often, then NAME=VALUE of
# what is given besides. The program defines `does`, a list of functions of the frame by first step; each calls
# `done(value)` when a step is over.
given <- commandArgs(trailingOnly = TRUE)
folder <- given[2]
steps <- strsplit(given[3], ",")[[1]]
repeats <- as.integer(given[4])
told <- list()
for (pair in given[-(1:4)]) told[[sub("=.*", "", pair)]] <- sub("^[^=]*=", "", pair)
patience <- 60
now <- function() proc.time()[["elapsed"]]
said <- function(step, again, seconds, value = NA) {
  peak <- NA
  if (file.exists("/proc/self/status")) {
    line <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
    peak <- as.numeric(gsub("[^0-9]", "", line)) * 1024 / 1e6
  }
  number <- function(x) if (is.na(x)) "null" else format(x, digits = 15)
  cat(sprintf('{"step": "%s", "repeat": %d, "seconds": %s, "value": %s, "megabytes": %s}\n',
              step, again, number(seconds), number(value), number(peak)))
}
began <- now()
columns <- read.table(file.path(folder, "columns.txt"), sep = "\t", stringsAsFactors = FALSE)
frame <- list()
for (i in seq_len(nrow(columns))) {
  path <- file.path(folder, paste0(i - 1, ".bin"))
  n <- columns[i, 3]
  if (columns[i, 2] == "number") {
    frame[[columns[i, 1]]] <- readBin(path, "double", n)
  } else {
    frame[[columns[i, 1]]] <- factor(readBin(path, "integer", n))
  }
}
frame <- as.data.frame(frame)
said("load", 0L, now() - began)
for (again in seq_len(repeats) - 1L) {
  start <- now()
  if (again > 0 && start - began > patience) break
  if (again == 0) source(given[1])  # with the packages that it loads
  step <- 1
  done <- function(value = NA) {
    force(value)  # R computes what it is given only when it is asked for
    if (step <= length(steps)) said(steps[step], again, now() - start, value)
    step <<- step + 1
    start <<- now()
  }
  does[[steps[1]]](frame)
}
