package main

import (
	"context"
	"fmt"
	"time"

	"weir/classic"
)

// ticks is how many prices a case reads before it leaves a stream that need not end.
const ticks = 3

type priceStream interface {
	Recv() (*classic.StockPrice, error)
}

// stocks [SYMBOL]: the first prices of a symbol through StreamService.
func stocks(ctx context.Context, c *client, arguments []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	symbol := symbolOf(arguments)
	call, err := c.streams.GetStockPrices(ctx, &classic.StockRequest{Symbol: symbol})
	if err != nil {
		return err
	}
	return checkPrices(call, symbol)
}

// realtime [SYMBOL]: the first prices of a symbol through StockService.
func realtime(ctx context.Context, c *client, arguments []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	symbol := symbolOf(arguments)
	call, err := c.stocks.GetRealTimePrices(ctx, &classic.StockRequest{Symbol: symbol})
	if err != nil {
		return err
	}
	return checkPrices(call, symbol)
}

func checkPrices(call priceStream, symbol string) error {
	var last int64
	for i := 0; i < ticks; i++ {
		price, err := call.Recv()
		if err != nil {
			return fmt.Errorf("price %d of %d: %v", i+1, ticks, err)
		}
		if price.Symbol != symbol {
			return fmt.Errorf("got a price of %q, asked for %q", price.Symbol, symbol)
		}
		if price.Price <= 0 {
			return fmt.Errorf("price %v is not positive", price.Price)
		}
		if age := time.Now().Unix() - price.Timestamp; age < -60 || age > 60 {
			return fmt.Errorf("timestamp %d is %d s from now: Unix seconds expected", price.Timestamp, age)
		}
		if price.Timestamp < last {
			return fmt.Errorf("timestamp %d follows %d", price.Timestamp, last)
		}
		last = price.Timestamp
	}
	fmt.Printf("%d prices of %s\n", ticks, symbol)
	return nil
}

func symbolOf(arguments []string) string {
	if len(arguments) == 0 {
		return "AAPL"
	}
	return arguments[0]
}
