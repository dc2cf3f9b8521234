# Fits one task with lme4 and prints a line of JSON per timed step; pbkrtest where Kenward-Roger is asked for.
# Arguments: the folder with a file per column, the formula, reml or ml, how often, the steps joined by commas.
suppressPackageStartupMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]; reml <- given[3] == "reml"; repeats <- as.integer(given[4])
steps <- if (length(given) > 4) strsplit(given[5], ",")[[1]] else character(0)
said <- function(step, again, seconds, criterion = NA) {
  peak <- NA
  if (file.exists("/proc/self/status")) {
    line <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
    peak <- as.numeric(gsub("[^0-9]", "", line)) * 1024 / 1e6
  }
  number <- function(x) if (is.na(x)) "null" else format(x, digits = 15)
  cat(sprintf('{"step": "%s", "repeat": %d, "seconds": %s, "criterion": %s, "megabytes": %s}\n',
              step, again, number(seconds), number(criterion), number(peak)))
}
start <- proc.time()[["elapsed"]]
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
said("load", 0L, proc.time()[["elapsed"]] - start)
for (again in seq_len(repeats)) {
  start <- proc.time()[["elapsed"]]
  fit <- suppressWarnings(suppressMessages(lmer(as.formula(given[2]), frame, REML = reml)))
  seconds <- proc.time()[["elapsed"]] - start
  said("fit", again - 1L, seconds, if (reml) REMLcrit(fit) else deviance(fit))
  if ("kenward-roger" %in% steps) {
    start <- proc.time()[["elapsed"]]
    adjusted <- pbkrtest::vcovAdj(fit)
    for (i in seq_along(fixef(fit))) pbkrtest::Lb_ddf(as.numeric(seq_along(fixef(fit)) == i), vcov(fit), adjusted)
    said("kenward-roger", again - 1L, proc.time()[["elapsed"]] - start)
  }
}
