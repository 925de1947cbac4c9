module assayer/adapters/go

go 1.19
